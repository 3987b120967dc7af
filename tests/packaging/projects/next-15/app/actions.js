"use server";
import { callComputer } from "../lib/server.js";

export async function act() {
  return callComputer();
}
