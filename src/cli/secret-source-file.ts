import { type SecretKind, sourceText } from "../domain/keyring.ts";
import type { MachineSettings } from "../settings.ts";
import { usage } from "./failure.ts";

/**
 * The file that secrets of this kind come from.
 * @throws Failure if they come from elsewhere, where Keywarden can't change them.
 */
export function secretFile(
  { pepper, sealKey }: MachineSettings,
  kind: SecretKind,
  done: "rotated" | "forgotten",
): string {
  const source = kind === "pepper" ? pepper : sealKey;
  if (source.kind === "file") return source.path;
  throw usage(
    `the ${kind} comes from ${sourceText(source)}, and has to be ${done} there`,
    done === "rotated"
      ? "Put a new line before the others, made with: openssl rand -base64 32. Then start the server again."
      : "Remove its line once keywarden doctor says that no record uses it any more. Then start the server again.",
  );
}
