/** The targets of the addons that are released, in the notation of napi-rs: `linux-x64-gnu`. */
export const TARGETS: readonly string[];
/** Returns the target of this process. It may be one without an addon. */
export function currentTarget(): string;
