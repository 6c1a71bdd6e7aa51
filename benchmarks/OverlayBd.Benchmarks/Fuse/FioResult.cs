// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Benchmarks.Fuse;

internal readonly record struct FioResult(double PerSecond, long Requests);
