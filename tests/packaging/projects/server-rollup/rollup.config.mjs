import { isBuiltin } from "node:module";
import commonjs from "@rollup/plugin-commonjs";
import resolve from "@rollup/plugin-node-resolve";

export default {
  external: isBuiltin,
  plugins: [resolve({ exportConditions: ["node"], preferBuiltins: true }), commonjs()],
};
