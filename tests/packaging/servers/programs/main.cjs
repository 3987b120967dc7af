const { work } = require("./work.cjs");

work(require("orgo-sdk"));
