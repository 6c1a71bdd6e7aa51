// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;

namespace OverlayBd.Cli.Containers;

/// <summary>A bundle's <c>config.json</c> (OCI runtime specification 1.0).</summary>
internal static class RuntimeSpec
{
    private const string Version = "1.0.2";

    public static void Write(string path, ContainerProcess process, IReadOnlyList<ContainerMount> mounts, string hostName)
    {
        using FileStream file = File.Create(path);
        Write(file, process, mounts, hostName, networkNamespace: null);
    }

    /// <summary>Writes the document.</summary>
    /// <param name="output">Where to; stays open.</param>
    /// <param name="process">The container's process.</param>
    /// <param name="mounts">What is mounted beside the defaults.</param>
    /// <param name="hostName">The container's host name.</param>
    /// <param name="networkNamespace">The path of its network namespace; null for the network of the machine.</param>
    public static void Write(
        Stream output, ContainerProcess process, IReadOnlyList<ContainerMount> mounts, string hostName, string? networkNamespace)
    {
        using Utf8JsonWriter json = new(output, new() { Indented = true });
        json.WriteStartObject();
        json.WriteString("ociVersion", Version);
        WriteProcess(json, process);
        json.WriteStartObject("root");
        json.WriteString("path", ContainerRoot.RootFolder);
        json.WriteEndObject();
        json.WriteString("hostname", hostName);
        WriteMounts(json, [.. ContainerDefaults.Mounts(), .. mounts]);
        WriteLinux(json, networkNamespace);
        json.WriteEndObject();
    }

    private static void WriteProcess(Utf8JsonWriter json, ContainerProcess process)
    {
        json.WriteStartObject("process");
        json.WriteBoolean("terminal", process.Terminal);
        json.WriteStartObject("user");
        json.WriteNumber("uid", process.User.Uid);
        json.WriteNumber("gid", process.User.Gid);
        json.WriteStartArray("additionalGids");
        foreach (uint gid in process.User.AdditionalGids)
        {
            json.WriteNumberValue(gid);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        WriteArray(json, "args", process.Arguments);
        WriteArray(json, "env", process.Environment);
        json.WriteString("cwd", process.WorkingDirectory);
        json.WriteBoolean("noNewPrivileges", true);
        json.WriteStartObject("capabilities");
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            WriteArray(json, set, ContainerDefaults.Capabilities);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteMounts(Utf8JsonWriter json, IReadOnlyList<ContainerMount> mounts)
    {
        json.WriteStartArray("mounts");
        foreach (ContainerMount mount in mounts)
        {
            json.WriteStartObject();
            json.WriteString("destination", mount.Destination);
            json.WriteString("type", mount.Type);
            json.WriteString("source", mount.Source);
            WriteArray(json, "options", mount.Options);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteLinux(Utf8JsonWriter json, string? networkNamespace)
    {
        json.WriteStartObject("linux");
        json.WriteStartArray("namespaces");
        foreach (string type in ContainerDefaults.Namespaces)
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteEndObject();
        }

        if (networkNamespace is not null)
        {
            json.WriteStartObject();
            json.WriteString("type", "network");
            json.WriteString("path", networkNamespace);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("resources");
        json.WriteStartArray("devices");
        json.WriteStartObject();
        json.WriteBoolean("allow", false);
        json.WriteString("access", "rwm");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        WriteArray(json, "maskedPaths", ContainerDefaults.MaskedPaths);
        WriteArray(json, "readonlyPaths", ContainerDefaults.ReadOnlyPaths);
        json.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
