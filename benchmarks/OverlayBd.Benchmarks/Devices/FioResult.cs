// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Benchmarks.Devices;

internal readonly record struct FioResult(double PerSecond, long Requests);
