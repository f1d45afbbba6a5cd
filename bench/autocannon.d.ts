// The part of autocannon that the benchmark calls; the package has no types.
declare module "autocannon" {
  interface Request {
    method?: "GET" | "POST";
    path?: string;
    headers?: Record<string, string>;
    body?: string;
    setupRequest?(request: Request): Request;
    onResponse?(status: number, body: string): void;
  }
  interface Client {
    setRequests(requests: Request[]): void;
  }
  function autocannon(options: {
    url: string;
    connections: number;
    duration: number;
    timeout: number;
    setupClient(client: Client): void;
  }): Promise<unknown>;
  export default autocannon;
}
