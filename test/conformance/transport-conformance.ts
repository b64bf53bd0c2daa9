import { describe } from "vitest";
import { describeCertificates } from "./transport-certificates.ts";
import { describeDrain } from "./transport-drain.ts";
import { describeEarlyEnd } from "./transport-early-end.ts";
import { type Start, transportFixture } from "./transport-fixture.ts";
import { describeHostileInput } from "./transport-hostile.ts";
import { describeStreams } from "./transport-streams.ts";
import { describeUnary } from "./transport-unary.ts";

/** What every carrier of src/ports/transport.ts promises, by real calls: `start` serves methods over it. */
export function describeTransport(name: string, start: Start): void {
  describe(`the transport ${name}`, () => {
    const fixture = transportFixture(start);
    describeUnary(fixture);
    describeEarlyEnd(fixture);
    describeStreams(fixture);
    describeHostileInput(fixture);
    describeDrain(fixture);
    describeCertificates(fixture);
  });
}
