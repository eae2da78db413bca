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
  endpoints: { sts: string; sns: string; dynamodb: string; s3: string };
}
