// Owns which service answers which question of reading.js. It must not decide when one is asked.

import { channelListUrl, readChannelList } from "./channel_list.js";
import { readBefore, readBetween } from "./history.js";
import { readStats, statsUrl } from "./stats.js";
import { readTranscript, transcriptUrl } from "./transcript.js";

/**
 * @param {import("../config.js").Config} config @param {string} base the page's address
 * @returns {import("./reading.js").Source}
 */
export function createSource(config, base) {
  const folder = config.dataPrefix;
  return {
    transcript: ({ signed }, channel, etag) =>
      readTranscript(signed, transcriptUrl(folder, channel, base), etag),
    between: ({ signed }, channel, range) => readBetween(signed, config, channel, range),
    before: ({ signed }, channel, id, limit) => readBefore(signed, config, channel, id, limit),
    channelList: ({ signed }, etag) => readChannelList(signed, channelListUrl(folder, base), etag),
    stats: ({ signed }, etag) => readStats(signed, statsUrl(folder, base), etag),
  };
}
