"use client";
import { useEffect } from "react";
import { publish } from "../lib/check.js";
import { act } from "./actions.js";

export function Client() {
  useEffect(() => {
    publish();
    globalThis.act = act;
  }, []);
  return <p>Page</p>;
}
