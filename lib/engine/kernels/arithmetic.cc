// The arithmetic of all operations, compiled once for each instruction set, with REWARDBOOK_VARIANT as its name.
#include "attentionGradient.h"
#include "elementwise.h"

namespace rewardbook {

#define QUOTED(name) #name
#define NAME_OF(name) QUOTED(name)
extern const Arithmetic REWARDBOOK_VARIANT = {
    NAME_OF(REWARDBOOK_VARIANT),
    attention,
    attention,
    attentionGradient,
    attentionGradient,
    addNorm,
    addNorm,
    addNormGradient,
    addNormGradient,
    gelu,
    gelu,
    geluGradient,
    geluGradient,
    adamw,
};

}  // namespace rewardbook
