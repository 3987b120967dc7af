const standalone = { output: "standalone", outputFileTracingRoot: import.meta.dirname };
const external = process.env.EXTERNAL ? { serverExternalPackages: ["orgo-sdk"] } : {};

export default process.env.EDGE ? {} : { ...standalone, ...external };
