const { work } = require("./work.cjs");

test("the SDK works", () => work(require("orgo-sdk")), 60_000);
