import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startKeywarden } from "../../support/keywarden-process.ts";
import { bearer, envoySession, patient } from "./envoy-session.ts";
import { send } from "./upstream.ts";

const session = envoySession();
const { newKey, envoyWith, get, denied } = session;

describe.skipIf(session.binary === undefined)("while Keywarden", () => {
  it("does not answer in time, nothing passes; and then it does again", async () => {
    const { token } = await newKey();
    const example = await envoyWith((config) => config);
    const ask = () => send(example.address, "/api/v1/orders", bearer(token));
    await expect.poll(async () => (await ask()).status).toBe(200);
    process.kill(session.keywarden.pid, "SIGSTOP");
    try {
      const state = () => readFileSync(`/proc/${session.keywarden.pid}/status`, "utf8");
      await expect.poll(state).toMatch(/^State:\tT/m);
      expect((await denied(ask)).status).toBe(503);
    } finally {
      process.kill(session.keywarden.pid, "SIGCONT");
    }
    await expect.poll(async () => (await ask()).status).toBe(200);
    await example.stop();
  });

  it("is stopped, nothing passes; and once it is started again, it does", async () => {
    const { token } = await newKey();
    const { grpc } = session.keywarden;
    await session.keywarden.stop();
    for (let request = 0; request < 10; request++) {
      expect((await denied(() => get("/api/v1/orders", bearer(token)))).status).toBe(503);
    }
    session.keywarden = await startKeywarden({ directory: session.directory, flags: ["--grpc", grpc] });
    session.admin = session.keywarden.adminClient();
    expect((await get("/api/v1/orders", bearer(token))).status).toBe(200);
  });

  it("does not know Envoy, nothing passes", async () => {
    const { token } = await newKey();
    const unknown = await envoyWith(patient, "kw_live_nobody");
    try {
      const answer = await denied(() => send(unknown.address, "/api/v1/orders", bearer(token)));
      expect(answer.status).toBe(503);
    } finally {
      await unknown.stop();
    }
  });

  it("is told what it does not know, nothing passes, and its log says so", async () => {
    const { token } = await newKey();
    const misspelt = await envoyWith((config) =>
      patient(config).replace("required_scope:", "require_scope:"),
    );
    try {
      const answer = await denied(() => send(misspelt.address, "/downloads/a", bearer(token)));
      expect(answer.status).toBe(403);
      await expect.poll(() => session.keywarden.output()).toContain('there is no \\"require_scope\\"');
    } finally {
      await misspelt.stop();
    }
  });
});
