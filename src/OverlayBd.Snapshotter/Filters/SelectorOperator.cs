// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Filters;

internal enum SelectorOperator
{
    Present,
    Equal,
    NotEqual,
    Matches,
}
