// What AWS answers, for the tests of the page's calls.

/** An S3 that gives one answer and records the requests. */
export function bucket(status, body, headers = {}) {
  const asked = [];
  const signed = async (service, url, init) => {
    asked.push({ service, url, init });
    return new Response(status === 304 ? null : body, { status, headers });
  };
  return { asked, signed };
}

/** The body of an error of AWS's Query APIs, such as STS and SNS. */
export const xmlError = (code, message) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

/** A signal that never aborts. */
export const NEVER = new AbortController().signal;
