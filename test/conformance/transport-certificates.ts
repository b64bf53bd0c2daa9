import { writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TlsFiles } from "../../src/adapters/tls/tls-identity.ts";
import { Status } from "../../src/domain/status.ts";
import type { Method } from "../../src/ports/transport.ts";
import { createTestAuthority, type TestAuthority } from "../support/certificates.ts";
import { temporaryDirectory } from "../support/keywarden-process.ts";
import {
  type EchoCall,
  echo,
  endOf,
  failureOf,
  say,
  streamMethod,
  type TransportFixture,
  unaryMethod,
} from "./transport-fixture.ts";

export function describeCertificates({ serve, serveOver, connect }: TransportFixture): void {
  describe("over TLS", () => {
    const directory = temporaryDirectory();
    let authority: TestAuthority;
    let files: TlsFiles;
    const write = (name: string, content: string): string => {
      const path = join(directory.path, name);
      writeFileSync(path, content);
      return path;
    };
    beforeAll(async () => {
      authority = await createTestAuthority();
      const { cert, key } = await authority.issue();
      files = {
        cert: write("tls.crt", cert),
        key: write("tls.key", key),
        clientCa: write("ca.crt", authority.cert),
      };
    });
    afterAll(() => directory.remove());

    /** A client that shows a certificate for these names, of this authority. */
    async function certified(names: readonly string[], from = authority) {
      const { cert, key } = await from.issue({ names });
      return credentials.createSsl(Buffer.from(authority.cert), Buffer.from(key), Buffer.from(cert));
    }

    test("a call knows the names of its client's certificate, the same list for all of a connection", async () => {
      const seen: (readonly string[])[] = [];
      const tell: Method[] = [
        unaryMethod(([call]) => {
          seen.push(call!.certificateNames);
          call!.reply(say(call!.peer));
        }),
        streamMethod((call) => {
          seen.push(call.certificateNames);
          call.end();
        }),
      ];
      const served = await serveOver(files, ...tell);
      const names = ["URI:spiffe://example/orders", "DNS:orders.example"];
      const client = connect(served, await certified(names));
      expect(await client.say("")).toBe("127.0.0.1");
      await client.say("");
      await endOf(client.stream(""));
      expect(seen).toEqual([names, names, names]);
      expect(new Set(seen).size).toBe(1);
      const other = connect(served, await certified(["DNS:files.example"]));
      await other.say("");
      await client.say("");
      expect(seen.slice(3)).toEqual([["DNS:files.example"], names]);
    });

    test("a call without a client certificate has no names", async () => {
      const seen: (readonly string[])[] = [];
      const method = unaryMethod(([call]) => {
        seen.push(call!.certificateNames);
        call!.reply(say(""));
      });
      await connect(await serve(method)).say("");
      const over = await serveOver({ ...files, clientCa: undefined }, method);
      await connect(over, credentials.createSsl(Buffer.from(authority.cert))).say("");
      // One that nobody asked for, and so nobody has verified.
      await connect(over, await certified(["DNS:orders.example"])).say("");
      expect(seen).toEqual([[], [], []]);
    });

    test("who shows no certificate, or one of another authority, or speaks no TLS, gets nowhere", async () => {
      const served = await serveOver(files, echo);
      const trusted = Buffer.from(authority.cert);
      const stranger = await createTestAuthority();
      const strange = await certified(["DNS:orders.example"], stranger);
      for (const channel of [credentials.createSsl(trusted), strange, credentials.createInsecure()]) {
        const error = await failureOf(connect(served, channel).say("", { deadline: Date.now() + 20_000 }));
        expect(error.code).toBe(Status.UNAVAILABLE);
      }
      expect(await connect(served, await certified(["DNS:a.example"])).say("after")).toBe("after");
    });

    test("draining cuts who is still shaking hands, and answers open calls", async () => {
      const arrived = Promise.withResolvers<EchoCall>();
      const method = unaryMethod(([call]) => {
        if (call!.request.token === "held") arrived.resolve(call!);
        else call!.reply(say(""));
      });
      const served = await serveOver(files, method);
      const client = connect(served, await certified(["DNS:a.example"]));
      const answer = client.say("held");
      const call = await arrived.promise;
      const mute = connectTcp(served.port, "127.0.0.1");
      const cut = new Promise((resolve) => {
        mute.once("close", resolve);
      });
      mute.on("error", () => {});
      mute.resume();
      await new Promise((resolve) => {
        mute.once("connect", resolve);
      });
      // By the time that a later connection is served, the server has accepted that one.
      await connect(served, await certified(["DNS:b.example"])).say("");
      const drained = served.drain(600_000);
      await cut;
      call.reply(say("answered"));
      expect(await answer).toBe("answered");
      await drained;
    });
  });
}
