import type { CallerGate, Verify } from "../adapters/rpc/caller-admission.ts";
import { checkMethod } from "../adapters/rpc/check-service.ts";
import type { Logger } from "../adapters/telemetry/logger.ts";
import { metered } from "../adapters/telemetry/metered.ts";
import type { ThreadCounts } from "../adapters/telemetry/thread-counts.ts";
import { throttled } from "../adapters/telemetry/throttled.ts";
import type { KeywardenError } from "../domain/keywarden-error.ts";
import type { Method } from "../ports/transport.ts";
import type { ServeSettings } from "../settings.ts";
import type { Traces } from "./traces.ts";

/** Milliseconds in which a proxy that is set up wrongly is logged once: each of its requests is denied for it. */
const LOG_INTERVAL = 10_000;

interface CheckDoorParts {
  readonly verify: Verify;
  readonly gate: CallerGate;
  readonly settings: Pick<ServeSettings, "proxy">;
  readonly counts: ThreadCounts;
  readonly traces: Traces;
  readonly log: Logger;
}

/** What Envoy asks (ext_authz), watched and counted. */
export function checkDoor({
  verify,
  gate,
  settings,
  counts,
  traces,
  log,
}: CheckDoorParts): readonly Method[] {
  const logMisconfiguration = throttled<KeywardenError>(LOG_INTERVAL, (requests, { reason, message }) =>
    log.error({ reason, requests }, `requests are denied as their proxy is set up wrongly: ${message}`),
  );
  const check = checkMethod(
    verify,
    { ...settings.proxy, onMisconfiguration: (error) => logMisconfiguration(1, error) },
    gate,
  );
  return traces.trace([check]).map((method) => metered(method, "ext_authz", counts));
}
