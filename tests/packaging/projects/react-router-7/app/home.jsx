import { useEffect } from "react";
import { publish } from "./lib/check.js";

export default function Home() {
  useEffect(publish, []);
  return <p>Page</p>;
}
