import { configure } from "orgo-sdk";
import wasm from "orgo-sdk/orgo.wasm";
import worker from "./worker.js";

configure({ wasm });

export default worker;
