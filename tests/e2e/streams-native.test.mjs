import { testStreams } from "./streams-run.mjs";

testStreams("native");
