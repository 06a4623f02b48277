// Carries the precompiled header; see UseMLIR.cmake.
