/** The part of u8-mqtt-packet that the page uses; the package has no types. */
declare module "u8-mqtt-packet/esm/codec_bind.js" {
  export interface Packet {
    readonly type: string;
    /** of a "publish" */
    topic?: string;
    payload?: Uint8Array;
    /** of a "connack": 0 for an accepted connection */
    reason?: Number;
    /** of a "suback": which subscription it answers */
    pkt_id?: number;
    /** of a "suback": a reason for each topic */
    answers?: (Number | undefined)[];
  }
  export function mqtt_pkt_ctx(
    level: 4,
    codec: typeof import("u8-mqtt-packet/esm/codec_v4_lean.js").mqtt_opts_v4,
  ): {
    encode_pkt(type: string, fields: object): Uint8Array<ArrayBuffer>;
    decode_pkt(bytes: Uint8Array): Packet | undefined;
  };
}

declare module "u8-mqtt-packet/esm/codec_v4_lean.js" {
  export const mqtt_opts_v4: object;
}
