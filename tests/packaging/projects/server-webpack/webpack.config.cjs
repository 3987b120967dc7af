module.exports = ({ entry }) => ({
  target: "node",
  mode: "production",
  entry,
  output: { path: `${__dirname}/out`, filename: "main.cjs" },
});
