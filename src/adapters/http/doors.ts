import type { FastifyReply } from "fastify";
import type { UnaryMethod } from "../../ports/transport.ts";
import { bearerChallenge, clientChallenges, credentialOf } from "./client-authentication.ts";
import { refuse } from "./http-app.ts";
import type { Door } from "./http-call.ts";
import { oauthError } from "./oauth-error.ts";
import type { Problem } from "./problem.ts";

const JSON_TYPE = "application/json; charset=utf-8";

/** A method with messages in JSON, and errors as problem details. */
export function jsonDoor(method: UnaryMethod): Door {
  return {
    method,
    mediaType: JSON_TYPE,
    authorizationOf: (values) => values,
    refuse(reply, answer) {
      const challenge = bearerChallenge(answer, authorizationOf(reply));
      if (challenge !== undefined) reply.header("www-authenticate", challenge);
      refuse(reply, inWordsOfHttp(answer, "send one credential as Authorization: Bearer <token>"));
    },
  };
}

/** A method for OAuth clients: they authenticate by HTTP Basic too, and read other errors. */
export function oauthDoor(method: UnaryMethod): Door {
  return {
    method,
    mediaType: JSON_TYPE,
    authorizationOf: credentialOf,
    refuse(reply, answer) {
      const challenges = clientChallenges(answer, authorizationOf(reply));
      if (challenges.length > 0) reply.header("www-authenticate", challenges);
      const what = "send one credential as the password of HTTP Basic, or as a Bearer token";
      reply.code(answer.status).type(JSON_TYPE).header("pragma", "no-cache");
      reply.send(oauthError(inWordsOfHttp(answer, what)));
    },
  };
}

function authorizationOf({ request }: FastifyReply): readonly string[] {
  return request.raw.headersDistinct["authorization"] ?? [];
}

/** What gRPC calls metadata is a header here. */
function inWordsOfHttp(answer: Problem, whatToSend: string): Problem {
  if (answer.code !== "UNAUTHENTICATED") return answer;
  return { ...answer, detail: `the credential is missing or not valid: ${whatToSend}` };
}
