// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>How a container of an image is to be run, unless its user says otherwise.</summary>
public sealed record ContainerConfig
{
    /// <summary>Gets the user, as <c>user</c>, <c>uid</c>, <c>user:group</c> or <c>uid:gid</c>; or <see langword="null"/>.</summary>
    [JsonPropertyName("User")]
    public string? User { get; init; }

    /// <summary>Gets the ports, such as <c>80/tcp</c>; or <see langword="null"/>.</summary>
    [JsonPropertyName("ExposedPorts")]
    [JsonConverter(typeof(SortedSetJsonConverter))]
    public IReadOnlySet<string>? ExposedPorts { get; init; }

    /// <summary>Gets the environment as <c>NAME=value</c>; or <see langword="null"/>.</summary>
    [JsonPropertyName("Env")]
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>Gets the program that <see cref="Cmd"/> is given to; or <see langword="null"/>.</summary>
    [JsonPropertyName("Entrypoint")]
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Gets the command, or the arguments of <see cref="Entrypoint"/>; or <see langword="null"/>.</summary>
    [JsonPropertyName("Cmd")]
    public IReadOnlyList<string>? Cmd { get; init; }

    /// <summary>Gets the paths of volumes; or <see langword="null"/>.</summary>
    [JsonPropertyName("Volumes")]
    [JsonConverter(typeof(SortedSetJsonConverter))]
    public IReadOnlySet<string>? Volumes { get; init; }

    /// <summary>Gets the directory the process starts in; or <see langword="null"/>.</summary>
    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }

    /// <summary>Gets the labels; or <see langword="null"/>.</summary>
    [JsonPropertyName("Labels")]
    [JsonConverter(typeof(SortedMapJsonConverter))]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Gets the signal that stops the process; or <see langword="null"/>.</summary>
    [JsonPropertyName("StopSignal")]
    public string? StopSignal { get; init; }

    /// <summary>Gets whether the arguments are escaped already (Windows).</summary>
    [JsonPropertyName("ArgsEscaped")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ArgsEscaped { get; init; }

    /// <summary>Gets or sets the fields that the specification does not know, such as docker's <c>Healthcheck</c>, kept so that nothing is
    /// lost.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? OtherFields { get; set; }
}
