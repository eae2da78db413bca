// Maps what the page reads to its place: an object in the bucket, or the table.

import { readChannelList, readStats, readTranscript } from "./objects.js";
import { readRows } from "./table.js";

/**
 * @typedef {import("../config.js").Config} Config
 * @typedef {import("./request.js").SignedFetch} SignedFetch
 * @typedef {import("../state.js").Reading} Reading
 * @typedef {import("../state.js").Rows} Rows
 * @typedef {import("../state.js").State} State
 * @typedef {import("../state/messages.js").Range} Range
 * @typedef {{signed: SignedFetch}} Reader the signed-in person
 * @typedef {{
 *   transcript(reader: Reader, channel: string, etag: string):
 *     Promise<{etag: string} & Reading | null>,
 *   rows(reader: Reader, channel: string, range: Range, limit: number): Promise<Rows>,
 *   channelList(reader: Reader, etag: string): Promise<{etag: string, names: string[]} | null>,
 *   stats(reader: Reader, etag: string):
 *     Promise<{etag: string, activity: State["activity"]} | null>,
 * }} Source
 */

/**
 * @param {Config} config @param {string} base the page's URL
 * @param {() => number} now milliseconds since the epoch, by AWS's clock
 * @returns {Source}
 */
export function createSource(config, base, now) {
  const url = (/** @type {string} */ name) => new URL(`${config.dataPrefix}${name}.json`, base).href;
  return {
    transcript: ({ signed }, channel, etag) => readTranscript(signed, url(channel), etag),
    rows: ({ signed }, channel, range, limit) =>
      readRows(signed, config, channel, range, limit, now()),
    channelList: ({ signed }, etag) => readChannelList(signed, url("channels"), etag),
    stats: ({ signed }, etag) => readStats(signed, url("stats"), etag),
  };
}
