import { type Computer, Orgo } from "orgo-sdk";
import { work } from "./work.mjs";

const computer: Computer | undefined = undefined;
void computer;
work({ Orgo });
