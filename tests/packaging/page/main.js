import { publish } from "./check.js";

publish();
