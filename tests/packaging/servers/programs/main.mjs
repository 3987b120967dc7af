import * as sdk from "orgo-sdk";
import { work } from "./work.mjs";

work(sdk);
