/** Of HTTP. The name is in lower case, as HTTP/2 has it. */
export type Header = readonly [name: string, value: string];

/**
 * The same for all names that some server behind a proxy takes for one: CGI, WSGI, Rack and PHP make HTTP_X_OWNER of
 * x-owner, X_Owner and x.owner.
 */
export function normalisedName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "-");
}
