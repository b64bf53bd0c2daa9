const API_ID = /^[a-z][a-z0-9-]{0,31}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What an API's id is, in words for whoever has written another one. */
export const API_ID_RULE = "is 1 to 32 of a-z, 0-9 and '-', starting with a letter";

/** Has this the shape of an API's id, such as `orders`? */
export function isApiId(text: string): boolean {
  return API_ID.test(text);
}

/** Is this a UUID as it is written, in lower case? */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
