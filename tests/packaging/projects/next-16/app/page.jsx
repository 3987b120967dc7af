import { Client } from "./client.jsx";

export const dynamic = "force-dynamic";

export default function Page() {
  return <Client />;
}
