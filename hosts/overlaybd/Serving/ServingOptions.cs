// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>Where devices are served from.</summary>
/// <param name="RunDirectory">Where servers leave their sockets and records.</param>
/// <param name="CacheDirectory">Where a private server keeps what it fetches.</param>
/// <param name="Verbose">Whether a private server logs everything.</param>
internal sealed record ServingOptions(RunDirectory RunDirectory, string CacheDirectory, bool Verbose)
{
    public static ServingOptions Bind(ParseResult parsed) =>
        new(parsed.GetRunDirectory(), parsed.GetCacheDirectory(), parsed.GetValue(CommonOptions.Verbose));
}
