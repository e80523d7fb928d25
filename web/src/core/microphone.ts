/** The microphone, and the six plain reasons why there is none. */
import { Failure, type FailureKind } from "./failure";

const WANTED: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  channelCount: { ideal: 1 },
};

/** Asks for the microphone. Throws a `Failure` whose kind says which of the six cases it is. */
export async function openMicrophone(): Promise<MediaStream> {
  // Browsers hide mediaDevices from pages that are neither HTTPS nor localhost.
  if (!navigator.mediaDevices?.getUserMedia) throw new Failure("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  } catch (error) {
    throw new Failure(whyNot(error as DOMException, allowedHere()));
  }
}

/** `allowed`: what the page's permissions policy says; false in a frame without allow="microphone". */
export function whyNot(error: { name: string; message: string }, allowed: boolean): FailureKind {
  if (!allowed) return "policy";
  switch (error.name) {
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    case "SecurityError":
      return "policy";
    case "NotAllowedError":
      if (/policy/i.test(error.message)) return "policy";
      return /dismiss/i.test(error.message) ? "dismissed" : "denied";
    default:
      return "insecure";
  }
}

function allowedHere(): boolean {
  const page = document as Document & { featurePolicy?: { allowsFeature(name: string): boolean } };
  return page.featurePolicy?.allowsFeature("microphone") ?? true;
}

/** Calls back when a denied microphone is allowed after all. Where the browser cannot tell, never. */
export async function whenAllowed(then: () => void, signal: AbortSignal): Promise<void> {
  try {
    const permission = await navigator.permissions.query({ name: "microphone" as PermissionName });
    permission.addEventListener("change", () => permission.state !== "denied" && then(), { signal });
  } catch {
    // Firefox before 131 does not know this permission by name.
  }
}
