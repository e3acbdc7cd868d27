/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: where the next decoded byte comes from. Going back is starting again; going
 * forward is skipping what can be skipped, then decoding into nothing, a step at a
 * time.
 */
#include "codec_inner.h"

#include <string.h>

enum otter_result codec_read_stored(const struct otter_stream *stream, uint32_t off,
                                    void *data, uint32_t len)
{
    return stream->source.read(stream->source.context, off, data, len);
}

enum otter_result codec_take(struct otter_stream *stream, void *data, uint32_t len,
                             enum otter_result missing)
{
    if (len > stream->source.size - stream->stored_off) {
        return missing;
    }
    enum otter_result result = codec_read_stored(stream, stream->stored_off, data, len);

    stream->stored_off += len;
    return result;
}

enum otter_result codec_fill(struct otter_stream *stream, uint32_t end)
{
    struct otter_decoding *decoding = stream->decoding;
    uint32_t left = end - stream->stored_off;

    if (decoding->in_used < decoding->in_len) {
        return OTTER_OK;
    }
    decoding->in_used = 0;
    decoding->in_len =
        (uint8_t)(left < sizeof(decoding->in) ? left : sizeof(decoding->in));
    return codec_take(stream, decoding->in, decoding->in_len, OTTER_E_CODING_SHORT);
}

void otter_stream_open_raw(struct otter_stream *stream,
                           const struct otter_source *source)
{
    memset(stream, 0, sizeof(*stream));
    stream->source = *source;
    stream->size = source->size;
}

void otter_stream_seek(struct otter_stream *stream, uint32_t off)
{
    stream->target = off;
}

static enum otter_result restart(struct otter_stream *stream)
{
    stream->stored_off = 0;
    stream->position = 0;
    stream->decoding->in_len = 0;
    stream->decoding->in_used = 0;
    return stream->decoder->open(stream);
}

/* One step towards the target, which is not where the decoder stands. */
static enum otter_result approach(struct otter_stream *stream, uint8_t *out,
                                  uint32_t len)
{
    bool is_skipping = false;
    uint32_t made = 0;
    enum otter_result result = OTTER_OK;

    if (stream->position > stream->target) {
        return restart(stream);
    }
    if (stream->decoder->skip != NULL) {
        result = stream->decoder->skip(stream, &is_skipping);
    }
    uint32_t way = stream->target - stream->position;

    if (result == OTTER_OK && !is_skipping && way > 0) {
        result = stream->decoder->decode(stream, out, way < len ? way : len, &made);
        stream->position += made;
    }
    return result;
}

enum otter_result otter_stream_read(struct otter_stream *stream, void *data,
                                    uint32_t len, uint32_t *got)
{
    enum otter_result result;

    *got = 0;
    len = len < OTTER_STEP_BYTES ? len : OTTER_STEP_BYTES;
    if (stream->decoder == NULL) {
        result = codec_read_stored(stream, stream->target, data, len);
        *got = result == OTTER_OK ? len : 0;
    } else if (stream->position != stream->target) {
        return approach(stream, data, len);
    } else {
        result = stream->decoder->decode(stream, data, len, got);
        stream->position += *got;
    }
    stream->target += *got;
    return result;
}

enum otter_result otter_stream_end(struct otter_stream *stream, bool *is_done)
{
    *is_done = true;
    return stream->decoder == NULL ? OTTER_OK : stream->decoder->end(stream, is_done);
}
