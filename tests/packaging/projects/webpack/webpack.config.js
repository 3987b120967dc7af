export default {
  entry: "./main.js",
  output: { filename: "main.js" },
  devServer: { host: "127.0.0.1", static: { directory: ".", watch: false } },
};
