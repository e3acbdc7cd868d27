/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codings that this library is compiled with. A program that only copies raw bytes
 * (boot) does not link this file, and so no decoder.
 */
#include "codec_inner.h"

static const struct otter_decoder *const decoders[] = {
    [OTTER_CODING_RAW] = NULL,
#if OTTER_ZLIB
    [OTTER_CODING_ZLIB] = &otter_decoder_zlib,
#endif
#if OTTER_HEATSHRINK
    [OTTER_CODING_HEATSHRINK] = &otter_decoder_heatshrink,
#endif
};

enum otter_result otter_stream_open(struct otter_stream *stream,
                                    const struct otter_source *source,
                                    const struct otter_member *member,
                                    struct otter_decoding *decoding)
{
    otter_stream_open_raw(stream, source);
    stream->size = member->installed_size;
    if (member->coding == OTTER_CODING_RAW) {
        return OTTER_OK;
    }
    if (member->coding >= sizeof(decoders) / sizeof(decoders[0]) ||
        decoders[member->coding] == NULL) {
        return OTTER_E_CONTROL_CODING;
    }
    if (member->memory > decoding->arena_size) {
        return OTTER_E_CODING_MEMORY;
    }
    decoding->memory = member->memory;
    decoding->in_len = 0;
    decoding->in_used = 0;
    stream->decoder = decoders[member->coding];
    stream->decoding = decoding;
    return stream->decoder->open(stream);
}
