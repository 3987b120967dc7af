export default {
  output: "standalone",
  outputFileTracingRoot: import.meta.dirname,
  // The route for the edge runtime is a separate mode of the project.
  pageExtensions: [...(process.env.EDGE ? ["edge.js"] : []), "jsx", "js"],
};
