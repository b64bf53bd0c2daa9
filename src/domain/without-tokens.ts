/** Takes out what looks like a token, as what people type by mistake is repeated in errors. */
export function withoutTokens(text: string): string {
  return text
    .replace(/\b[a-z][a-z0-9]*_[a-z][a-z0-9]*_[A-Za-z0-9]{8,}/g, "<token>")
    .replace(/(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,}/g, "<long value>");
}
