import { expect, it } from "vitest";
import { testKey, testKeyId } from "../../test/support/records.ts";
import { BUILT_IN_API } from "../domain/api.ts";
import type { Key } from "../domain/key.ts";
import { credentialFindings } from "./doctor-credentials.ts";

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

function administrator(number: number, fields: Partial<Key> = {}): Key {
  return testKey({ id: testKeyId(number), api: BUILT_IN_API, scopes: ["*"], expireTime: null, ...fields });
}

it.each<[what: string, keys: readonly Key[], codes: readonly string[]]>([
  ["two who may do everything", [administrator(1), administrator(2)], []],
  ["one", [administrator(1)], ["ONE_ADMINISTRATOR"]],
  [
    "one, and one from some networks",
    [administrator(1), administrator(2, { allowedCidrs: ["10.0.0.0/8"] })],
    ["ONE_ADMINISTRATOR"],
  ],
  [
    "one, and one for a day",
    [administrator(1), administrator(2, { expireTime: NOW + DAY })],
    ["ONE_ADMINISTRATOR"],
  ],
  [
    "one, and one who only creates keys",
    [administrator(1), administrator(2, { scopes: ["keys:*"] })],
    ["ONE_ADMINISTRATOR"],
  ],
  [
    "two from some networks",
    [1, 2].map((number) => administrator(number, { allowedCidrs: ["10.0.0.0/8"] })),
    ["ONE_ADMINISTRATOR"],
  ],
  [
    "one who ends within two weeks",
    [administrator(1, { expireTime: NOW + 13 * DAY })],
    ["LAST_ADMINISTRATOR_EXPIRES"],
  ],
  [
    "one who has expired",
    [administrator(1, { expireTime: NOW })],
    ["NO_ADMINISTRATOR", "CREDENTIAL_EXPIRED"],
  ],
  ["none", [], ["NO_ADMINISTRATOR"]],
])("of administrators, %s", (_what, keys, codes) => {
  expect(credentialFindings(keys, NOW).map(({ code }) => code)).toEqual(codes);
});
