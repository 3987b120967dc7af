import { inNode, testInput } from "./run.mjs";

testInput("the native binding in Node", inNode("native"));
