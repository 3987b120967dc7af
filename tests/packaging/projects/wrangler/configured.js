import { configure } from "orgo-sdk";
import wasm from "orgo-sdk/wasm";
import worker from "./worker.js";

configure({ wasm });

export default worker;
