/** The configuration that update.sh writes into index.html, from config.yml and the stack's outputs. */
export interface Config {
  region: string;
  googleClientId: string;
  roleArn: string;
  topicArn: string;
  table: string;
  dataPrefix: string;
  history: number;
  /** how many messages one person may send in this many seconds */
  rateLimit: { messages: number; seconds: number };
  bucket: string;
  /** the broker that announces changes, or null: then the page polls only */
  push: {
    /** wss://HOST/mqtt */
    url: string;
    /** the part of a topic before the channel */
    topics: string;
    /** how a client's id begins */
    clients: string;
  } | null;
  endpoints: { sts: string; sns: string; dynamodb: string; s3: string };
}
