import { describe, expect, it } from "vitest";
import { credentialOf } from "./client-authentication.ts";

const SECRET = "kw_live_abc";

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

describe("HTTP Basic", () => {
  it.each([
    ["its password", basic(`client:${SECRET}`)],
    ["its password, escaped", basic("client:kw%5Flive%5Fabc")],
    ["its password, with any client id", basic(`a%3Ab c:${SECRET}`)],
    ["its password, whatever the scheme's case", basic(`client:${SECRET}`).replace("Basic", "bASIC")],
  ])("is the credential that is %s", (_, value) => {
    expect(credentialOf([value])).toEqual([`Bearer ${SECRET}`]);
  });

  it("has its first colon behind the client id", () => {
    expect(credentialOf([basic("client:a:b")])).toEqual(["Bearer a:b"]);
  });

  it.each([
    ["has no client id", [basic(`:${SECRET}`)]],
    ["has no colon", [basic(SECRET)]],
    ["has a broken escape", [basic("client:%zz")]],
    ["is no base64", ["Basic !!!"]],
    ["is a Bearer credential", [`Bearer ${SECRET}`]],
    ["is there twice", [basic(`client:${SECRET}`), basic(`client:${SECRET}`)]],
    ["is in a list", [`${basic(`client:${SECRET}`)}, ${basic(`client:${SECRET}`)}`]],
    ["is not there", []],
  ])("that %s is left as it is", (_, values) => {
    expect(credentialOf(values)).toEqual(values);
  });
});
