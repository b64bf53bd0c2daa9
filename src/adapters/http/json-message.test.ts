import { describe, expect, it } from "vitest";
import { dataHttpPerTest, HEAD, rawAnswer } from "../../../test/support/data-http.ts";

const { own, start } = dataHttpPerTest();

describe("JSON that is not a request", () => {
  it.each([
    ["", "empty"],
    ["{", "no JSON, from character 1"],
    ["\ufeff{}", "no JSON"],
    ["[]", "no JSON object"],
    ["null", "no JSON object"],
    ['"x"', "no JSON object"],
    ['{"x":1}', '"x"'],
    ['{"__proto__":{}}', '"__proto__"'],
    ['{"token":"a","token":"b"}', "twice"],
    ['{"required_scope":"a","requiredScope":"b"}', "required_scope: is there twice"],
    ['{"token":5}', "token: is a text"],
    ['{"token":["a"]}', "token: is a text"],
    ['{"token":"\\ud800"}', "token: is a text"],
    ['{"dryRun":"true"}', "dry_run: is true or false"],
    ['{"cost":-1}', "cost: is a whole number"],
    ['{"cost":1.5}', "cost: is a whole number"],
    ['{"cost":4294967296}', "cost: is a whole number"],
    ["[".repeat(30_000), "no JSON"],
    [`{"token":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, "token: is a text"],
  ])("%j is refused, and why", async (body, detail) => {
    const { postText } = await start();
    const response = await postText(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "INVALID_ARGUMENT",
      reason: "MALFORMED_REQUEST",
      detail: expect.stringContaining(detail),
    });
  });

  it("is refused where it is no UTF-8", async () => {
    const { port } = await start();
    const body = '{"token":"\xff"}';
    const received = await rawAnswer(
      port,
      `${HEAD}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(received).toContain("not in UTF-8");
  });

  it("is not repeated: it may hold a token", async () => {
    const { postText } = await start();
    const token = own.unknownToken();
    for (const body of [
      `{"token":"${token}"`,
      `{"token":${token}}`,
      `{"${token}":1}`,
      token,
      `["${token}"]`,
    ]) {
      const response = await postText(body);
      expect(await response.text()).not.toContain(token.slice(9, 20));
    }
  });
});
