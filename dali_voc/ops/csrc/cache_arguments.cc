#include "cache_arguments.h"

DALI_SCHEMA(dali_voc__CacheArguments)
    .DocStr("What the operators share that know the cache.")
    .MakeInternal()
    .AddOptionalArg("cache", "Handle of the memory in which samples are kept; -1: none.", -1)
    .AddOptionalArg("cache_samples", "How many samples there are.", int64_t{0})
    .AddOptionalArg("sample", "Number of the sample.", DALI_INT64, nullptr, true);
