// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Architecture.Tests;

/// <summary>Who may use whom. A project that is not named here may not exist under src/ or hosts/.</summary>
internal static class LayerRules
{
    private const string Logging = "Microsoft.Extensions.Logging.Abstractions";

    /// <summary>Project to the projects it may reference.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Projects = new Dictionary<string, string[]>
    {
        ["OverlayBd.Format"] = [],
        ["OverlayBd.Registry"] = ["OverlayBd.Format"],
        ["OverlayBd.Images"] = ["OverlayBd.Registry", "OverlayBd.Format"],
        ["OverlayBd.Conversion"] = ["OverlayBd.Images", "OverlayBd.Registry", "OverlayBd.Format"],
        ["OverlayBd.Tcmu"] = ["OverlayBd.Format"],
        ["OverlayBd.Fuse"] = ["OverlayBd.Format"],
        ["OverlayBd.Snapshotter"] = ["OverlayBd.Format"],
        ["overlaybd"] = ["OverlayBd.Conversion", "OverlayBd.Images", "OverlayBd.Registry", "OverlayBd.Format"],
        ["overlaybd-backstore"] = ["OverlayBd.Tcmu", "OverlayBd.Fuse", "OverlayBd.Images", "OverlayBd.Registry", "OverlayBd.Format"],
        ["overlaybd-snapshotter"] = ["OverlayBd.Snapshotter", "OverlayBd.Format"],
    };

    /// <summary>Library to the packages its users get with it. Hosts are free: nobody depends on them.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Packages = new Dictionary<string, string[]>
    {
        ["OverlayBd.Format"] = ["K4os.Compression.LZ4", "ZstdSharp.Port"],
        ["OverlayBd.Registry"] =
        [
            Logging, "Microsoft.Extensions.Http", "Microsoft.Extensions.Options", "Microsoft.Extensions.DependencyInjection.Abstractions",
            "Polly.Core",
        ],
        ["OverlayBd.Images"] = [Logging, "Microsoft.Extensions.Options", "Microsoft.Extensions.DependencyInjection.Abstractions"],
        ["OverlayBd.Conversion"] = [Logging, "ZstdSharp.Port", "Microsoft.Data.Sqlite", "MySqlConnector"],
        ["OverlayBd.Tcmu"] = [Logging, "Tmds.LibC"],
        ["OverlayBd.Fuse"] = [Logging, "Tmds.LibC"],
        ["OverlayBd.Snapshotter"] =
        [
            Logging, "Microsoft.Extensions.Options", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Data.Sqlite",
            "Grpc.Core.Api", "Grpc.Tools", "Google.Protobuf", "Tmds.LibC",
        ],
    };

    /// <summary>Library to what it never knows: prefixes of assemblies or of namespaces it may not use.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Forbidden = new Dictionary<string, string[]>
    {
        ["OverlayBd.Format"] = ["System.Net", "System.Diagnostics.Process", "Microsoft.Extensions", "Tmds.LibC"],
        // Credential helpers are programs, hence Registry starts processes.
        ["OverlayBd.Registry"] = ["Tmds.LibC", "OverlayBd.Fuse", "OverlayBd.Tcmu", "OverlayBd.Images"],
        ["OverlayBd.Images"] = ["System.Diagnostics.Process", "Tmds.LibC", "OverlayBd.Fuse", "OverlayBd.Tcmu", "OverlayBd.Conversion"],
        ["OverlayBd.Conversion"] = ["System.Diagnostics.Process", "Tmds.LibC", "OverlayBd.Fuse", "OverlayBd.Tcmu"],
        ["OverlayBd.Tcmu"] = ["System.Net.Http", "System.Diagnostics.Process", "OverlayBd.Registry", "OverlayBd.Images", "OverlayBd.Fuse"],
        ["OverlayBd.Fuse"] = ["System.Net", "System.Diagnostics.Process", "OverlayBd.Registry", "OverlayBd.Images", "OverlayBd.Tcmu"],
        ["OverlayBd.Snapshotter"] = ["OverlayBd.Registry", "OverlayBd.Images", "OverlayBd.Tcmu", "OverlayBd.Fuse", "Microsoft.AspNetCore"],
    };

    /// <summary>Libraries without any native call.</summary>
    public static readonly IReadOnlyList<string> ManagedOnly = ["OverlayBd.Format"];
}
