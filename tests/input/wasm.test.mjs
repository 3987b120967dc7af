import { inNode, testInput } from "./run.mjs";

testInput("the wasm binding in Node", inNode("wasm"));
