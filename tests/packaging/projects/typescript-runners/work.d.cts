import type { Orgo } from "orgo-sdk";

export function work(sdk: { Orgo: typeof Orgo }): Promise<void>;
