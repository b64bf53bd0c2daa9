import type { PresentedToken } from "../domain/decision.ts";
import { matchesImportedShape, parseNativeToken } from "../domain/token.ts";
import type { ApiDirectory } from "./api-directory.ts";
import type { VerifyRequest } from "./verification.ts";

/** What the request's token says of itself: an API's own, by prefix and checksum, else one that an API takes from elsewhere. */
export function presentedToken(
  { token, api }: Pick<VerifyRequest, "token" | "api">,
  apis: ApiDirectory,
): PresentedToken {
  if (token === "") return { kind: "missing" };
  const native = parseNativeToken(token);
  const issuer = native === undefined ? undefined : apis.byPrefix(native.prefix);
  if (native !== undefined && issuer !== undefined) {
    return { kind: "native", api: issuer.id, environment: native.environment };
  }
  for (const importing of apis.importing) {
    if (api !== "" && importing.id !== api) continue;
    if (importing.importedTokenShapes.some((shape) => matchesImportedShape(token, shape))) {
      return { kind: "imported" };
    }
  }
  if (native === undefined) return { kind: "malformed" };
  return { kind: "native", api: undefined, environment: native.environment };
}
