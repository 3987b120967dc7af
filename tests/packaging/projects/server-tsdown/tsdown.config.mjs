export default { entry: "main.mjs", platform: "node", noExternal: /./, outDir: "out", dts: false };
